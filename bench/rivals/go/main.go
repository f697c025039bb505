// Publishes an NDJSON file to JetStream the way a Go program would: one message per event, or arrays of events.
// Prints one JSON object with the time, the CPU seconds and the count.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
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
	warm := flag.String("warm", "", "NDJSON file played before the clock starts; none = a cold start")
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

	if *warm != "" {
		play(js, *warm, *mode, *size)
	}
	broker := brokerSeconds()
	started, cpu := time.Now(), cpuSeconds()
	events := play(js, *file, *mode, *size)
	elapsed, used := time.Since(started), cpuSeconds()-cpu
	broker = brokerSeconds() - broker
	fmt.Printf("{\"events\":%d,\"elapsedMs\":%f,\"cpuSeconds\":%f,\"brokerSeconds\":%f,\"allSeconds\":%f}\n",
		events, float64(elapsed.Microseconds())/1000, used, broker, cpuSeconds())
	nc.Close()
}

// Resolves once every message is acknowledged.
func play(js nats.JetStreamContext, file string, mode string, size int) int {
	input, err := os.Open(file)
	check(err)
	defer input.Close()
	var events int
	if mode == "batch" {
		events = batches(js, input, size)
	} else {
		events = each(js, input)
	}
	<-js.PublishAsyncComplete()
	return events
}

// What the broker has used so far, from procfs: the clock's own part of it only, without the warm-up.
func brokerSeconds() float64 {
	stat, err := os.ReadFile("/proc/" + os.Getenv("BROKER_PID") + "/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
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

// Unique over all files of one run: the broker drops a message whose id it knows.
var batchNumber = 0

func batches(js nats.JetStreamContext, input *os.File, size int) int {
	lines := scanner(input)
	seen := make(map[string]struct{})
	batch := make([]map[string]any, 0, size)
	events := 0
	send := func() {
		packed, err := msgpack.Marshal(batch)
		check(err)
		batchNumber++
		_, err = js.PublishAsync("bench.events", packed, nats.MsgId(fmt.Sprint("b", batchNumber)))
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
