// Publishes an NDJSON file to JetStream the way a Go program would: one message per event, or arrays of events.
// Prints one JSON object with the time, the CPU seconds and the count.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/vmihailenco/msgpack/v5"
)

const windowEach = 4096
const windowBatch = 256

func main() {
	url := flag.String("url", "", "server")
	file := flag.String("file", "", "NDJSON file")
	mode := flag.String("mode", "each", "each or batch")
	size := flag.Int("batch", 400, "events in an array")
	flag.Parse()

	nc, err := nats.Connect(*url)
	check(err)
	window := windowEach
	if *mode == "batch" {
		window = windowBatch
	}
	js, err := nc.JetStream(nats.PublishAsyncMaxPending(window))
	check(err)
	_, err = js.AddStream(&nats.StreamConfig{Name: "BENCH", Subjects: []string{"bench.>"}, Storage: nats.FileStorage, Duplicates: 2 * time.Minute})
	check(err)

	input, err := os.Open(*file)
	check(err)
	started, cpu := time.Now(), cpuSeconds()
	var events int
	if *mode == "batch" {
		events = batches(js, input, *size)
	} else {
		events = each(js, input)
	}
	<-js.PublishAsyncComplete()
	elapsed := time.Since(started)
	fmt.Printf("{\"events\":%d,\"elapsedMs\":%f,\"cpuSeconds\":%f}\n", events, float64(elapsed.Microseconds())/1000, cpuSeconds()-cpu)
	nc.Close()
}

func each(js nats.JetStreamContext, input *os.File) int {
	lines := scanner(input)
	events := 0
	for lines.Scan() {
		var event map[string]any
		check(json.Unmarshal(lines.Bytes(), &event))
		packed, err := msgpack.Marshal(event)
		check(err)
		_, err = js.PublishAsync("bench.events", packed, nats.MsgId(event["id"].(string)))
		check(err)
		events++
	}
	check(lines.Err())
	return events
}

func batches(js nats.JetStreamContext, input *os.File, size int) int {
	lines := scanner(input)
	seen := make(map[string]struct{})
	batch := make([]map[string]any, 0, size)
	events, number := 0, 0
	send := func() {
		packed, err := msgpack.Marshal(batch)
		check(err)
		number++
		_, err = js.PublishAsync("bench.events", packed, nats.MsgId(fmt.Sprint("b", number)))
		check(err)
		batch = batch[:0]
	}
	for lines.Scan() {
		var event map[string]any
		check(json.Unmarshal(lines.Bytes(), &event))
		events++
		id := event["id"].(string)
		if _, known := seen[id]; known {
			continue
		}
		seen[id] = struct{}{}
		batch = append(batch, event)
		if len(batch) == size {
			send()
		}
	}
	check(lines.Err())
	if len(batch) > 0 {
		send()
	}
	return events
}

func scanner(input *os.File) *bufio.Scanner {
	lines := bufio.NewScanner(bufio.NewReaderSize(input, 1<<20))
	lines.Buffer(make([]byte, 1<<20), 8<<20)
	return lines
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
