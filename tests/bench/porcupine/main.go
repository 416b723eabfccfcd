// Times Porcupine on one history: `porcupine-driver MODEL FILE SECONDS` prints its verdict and the
// milliseconds of the check alone, by the clock and of all processors together. Files are those that
// `seatrial check` reads: hjl/1, Jepsen's log of one register, Porcupine's own maps. Each model
// hashes its states and, where it can be, is split by key, which is the fastest that the library
// offers.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/anishathalye/porcupine"
)

type input struct {
	f, key string
	a, b   string // Argument; of cas and hset the second one, too.

	process  int
	commands []command // Of watch and exec.
}

// An answer as text; unknown ones fit whatever happened.
type output struct {
	unknown bool
	text    string
	parts   []string // Of exec.
}

func main() {
	if len(os.Args) != 4 {
		fail("usage: porcupine-driver MODEL FILE SECONDS")
	}
	seconds, err := strconv.Atoi(os.Args[3])
	if err != nil {
		fail("%v", err)
	}
	operations := read(os.Args[2])
	model := modelOf(os.Args[1])
	begin, cpu := time.Now(), cpuTime()
	result := porcupine.CheckOperationsTimeout(model, operations, time.Duration(seconds)*time.Second)
	wall := time.Since(begin)
	fmt.Printf("%s %.3f %.3f\n", result, milliseconds(wall), milliseconds(cpuTime()-cpu))
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail("%v", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func fail(format string, arguments ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(2)
}

// ---- Histories ----

type reader struct {
	operations []porcupine.Operation
	open       map[int64]int // Operation by id, or by process where there are no ids.
	reads      map[int]bool
	now        int64
}

func (r *reader) invoke(id int64, process int, in input, reads bool) {
	r.open[id] = len(r.operations)
	r.reads[len(r.operations)] = reads
	r.operations = append(r.operations, porcupine.Operation{ClientId: process, Input: in,
		Call: r.now, Output: output{unknown: true}, Return: math.MaxInt64})
	r.now++
}

func (r *reader) complete(id int64, text string) {
	at := r.open[id]
	r.operations[at].Output = output{text: text}
	r.operations[at].Return = r.now
	r.now++
}

func (r *reader) completeParts(id int64, result json.RawMessage) {
	var raw []json.RawMessage
	if err := json.Unmarshal(result, &raw); err != nil {
		fail("%v: %s", err, result)
	}
	answer := output{text: string(result)}
	for _, part := range raw {
		answer.parts = append(answer.parts, plain(part))
	}
	r.operations[r.open[id]].Output = answer
}

// The operation did nothing, or is left to have any outcome.
func (r *reader) end(id int64, failed bool) {
	if failed {
		r.operations[r.open[id]].Call = -1
	}
	r.now++
}

// What counts: reads without an answer and failed operations say nothing.
func (r *reader) history() []porcupine.Operation {
	var kept []porcupine.Operation
	for i, operation := range r.operations {
		if operation.Call < 0 || (r.reads[i] && operation.Output.(output).unknown) {
			continue
		}
		operation.ClientId = 0
		kept = append(kept, operation)
	}
	return kept
}

func read(path string) []porcupine.Operation {
	file, err := os.Open(path)
	if err != nil {
		fail("%v", err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(make([]byte, 1<<20), 1<<26)
	r := &reader{open: map[int64]int{}, reads: map[int]bool{}}
	for scanner.Scan() {
		line := scanner.Text()
		switch {
		case strings.HasPrefix(line, "INFO "):
			readRegister(r, line)
		case strings.HasPrefix(line, "{:process "):
			readMap(r, line)
		case !strings.HasPrefix(line, `{"hdr"`):
			readEvent(r, line)
		}
	}
	return r.history()
}

func plain(raw json.RawMessage) string {
	text := string(raw)
	if strings.HasPrefix(text, `"`) {
		var unquoted string
		if json.Unmarshal(raw, &unquoted) == nil {
			return unquoted
		}
	}
	return text
}

func readEvent(r *reader, line string) {
	var event struct {
		Id int64           `json:"id"`
		P  int             `json:"p"`
		E  string          `json:"e"`
		F  string          `json:"f"`
		K  string          `json:"k"`
		A  json.RawMessage `json:"a"`
		R  json.RawMessage `json:"r"`
	}
	if err := json.Unmarshal([]byte(line), &event); err != nil {
		fail("%v: %s", err, line)
	}
	switch event.E {
	case "invoke":
		in := input{f: event.F, key: event.K, a: plain(event.A), process: event.P}
		if event.P >= processes {
			processes = event.P + 1
		}
		if event.F == "watch" || event.F == "exec" {
			in.commands = readCommands(event.F, event.A)
		} else if strings.HasPrefix(in.a, "[") {
			var pair []json.RawMessage
			if err := json.Unmarshal(event.A, &pair); err != nil || len(pair) != 2 {
				fail("argument %s", line)
			}
			in.a, in.b = plain(pair[0]), plain(pair[1])
		}
		switch in.f {
		case "get", "lrange", "hget", "hgetall", "sismember", "smembers":
			r.invoke(event.Id, event.P, in, true)
		default:
			r.invoke(event.Id, event.P, in, false)
		}
	case "ok":
		r.complete(event.Id, plain(event.R))
		if r.operations[r.open[event.Id]].Input.(input).f == "exec" {
			r.completeParts(event.Id, event.R)
		}
	default:
		r.end(event.Id, event.E == "fail")
	}
}

func readRegister(r *reader, line string) {
	words := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(line))
	process, err := strconv.ParseInt(words[3], 10, 64)
	if err != nil {
		fail("%v: %s", err, line)
	}
	kind, f, values := words[4], words[5], words[6:]
	switch kind {
	case ":invoke":
		in := input{key: "r"}
		switch f {
		case ":read":
			in.f = "get"
		case ":write":
			in.f, in.a = "set", values[0]
		default:
			in.f, in.a, in.b = "cas", values[0], values[1]
		}
		r.invoke(process, int(process), in, f == ":read")
	case ":ok":
		answer := "OK"
		if f == ":read" {
			answer = strings.Replace(values[0], "nil", "null", 1)
		} else if f == ":cas" {
			answer = "1"
		}
		r.complete(process, answer)
	case ":fail":
		if f == ":cas" {
			r.complete(process, "0")
		} else {
			r.end(process, true)
		}
	default:
		r.end(process, false)
	}
}

func readMap(r *reader, line string) {
	var process int64
	var kind, f, key string
	if _, err := fmt.Sscanf(strings.ReplaceAll(line, ",", ""),
		"{:process %d :type :%s :f :%s :key %q", &process, &kind, &f, &key); err != nil {
		fail("%v: %s", err, line)
	}
	value := line[strings.Index(line, ":value ")+len(":value ") : len(line)-1]
	value = strings.Trim(value, `"`)
	if kind == "invoke" {
		name := map[string]string{"get": "get", "put": "set", "append": "append"}[f]
		r.invoke(process, int(process), input{f: name, key: key, a: value}, f == "get")
		return
	}
	if f != "get" {
		value = "OK"
	} else if value == "" {
		value = "null"
	}
	r.complete(process, value)
}

// ---- Models: states are texts or lists of texts ----

func byKey(history []porcupine.Operation) [][]porcupine.Operation {
	parts := map[string][]porcupine.Operation{}
	var keys []string
	for _, operation := range history {
		key := operation.Input.(input).key
		if _, known := parts[key]; !known {
			keys = append(keys, key)
		}
		parts[key] = append(parts[key], operation)
	}
	sort.Strings(keys)
	var split [][]porcupine.Operation
	for _, key := range keys {
		split = append(split, parts[key])
	}
	return split
}

func modelOf(name string) porcupine.Model {
	text := porcupine.Model{Partition: byKey,
		Init: func() interface{} { return "null" }, Hash: hashText, Step: stepText}
	list := porcupine.Model{Partition: byKey,
		Init: func() interface{} { return []string(nil) }, Equal: sameList, Hash: hashList}
	switch name {
	case "register", "kv":
		return text
	case "kv-whole":
		return wholeText()
	case "txn":
		return transactions("null")
	case "appendtxn":
		return transactions("[")
	case "counter":
		text.Init = func() interface{} { return "0" }
		text.Step = stepCounter
		return text
	case "list", "queue":
		list.Step = stepList
		return list
	case "hash", "set":
		list.Step = stepCells
		return list
	}
	fail("no model %q", name)
	return text
}

func hashText(state interface{}) uint64 {
	hash := fnv.New64a()
	hash.Write([]byte(state.(string)))
	return hash.Sum64()
}

func hashList(state interface{}) uint64 {
	hash := fnv.New64a()
	for _, item := range state.([]string) {
		hash.Write([]byte(item))
		hash.Write([]byte{0})
	}
	return hash.Sum64()
}

func sameList(a, b interface{}) bool {
	x, y := a.([]string), b.([]string)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}

func fits(out output, answer string) bool { return out.unknown || out.text == answer }

func flag(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}

func stepText(state, in, out interface{}) (bool, interface{}) {
	now, call, answer := state.(string), in.(input), out.(output)
	switch call.f {
	case "get":
		return fits(answer, now), now
	case "set":
		return true, call.a
	case "append":
		return true, strings.TrimPrefix(now, "null") + call.a
	case "del":
		return fits(answer, flag(now != "null")), "null"
	}
	if now != strings.Replace(call.a, "nil", "null", 1) {
		return fits(answer, "0"), now
	}
	return fits(answer, "1"), call.b
}

func stepCounter(state, in, out interface{}) (bool, interface{}) {
	call, answer := in.(input), out.(output)
	now, _ := strconv.ParseInt(state.(string), 10, 64)
	amount := int64(1)
	if call.f != "incr" {
		amount, _ = strconv.ParseInt(call.a, 10, 64)
	}
	switch call.f {
	case "get":
		return fits(answer, state.(string)) || (now == 0 && answer.text == "null"), state
	case "decrby":
		amount = -amount
	}
	next := strconv.FormatInt(now+amount, 10)
	return fits(answer, next), next
}

func stepList(state, in, out interface{}) (bool, interface{}) {
	now, call, answer := state.([]string), in.(input), out.(output)
	switch call.f {
	case "rpush":
		next := append(append(make([]string, 0, len(now)+1), now...), call.a)
		return answer.text == "OK" || fits(answer, strconv.Itoa(len(next))), next
	case "lrange":
		return fits(answer, "["+strings.Join(now, ",")+"]"), now
	}
	if len(now) == 0 {
		return fits(answer, "null"), now
	}
	return fits(answer, now[0]), now[1:]
}

// Cells as "name", "value", ... by name; a set's have no values.
func stepCells(state, in, out interface{}) (bool, interface{}) {
	now, call, answer := state.([]string), in.(input), out.(output)
	switch call.f {
	case "hgetall":
		var members []string
		for i := 0; i < len(now); i += 2 {
			members = append(members, `"`+now[i]+`":`+now[i+1])
		}
		return fits(answer, "{"+strings.Join(members, ",")+"}"), now
	case "smembers":
		var members []string
		for i := 0; i < len(now); i += 2 {
			members = append(members, now[i])
		}
		sort.Slice(members, func(i, j int) bool {
			return len(members[i]) < len(members[j]) ||
				(len(members[i]) == len(members[j]) && members[i] < members[j])
		})
		return fits(answer, "["+strings.Join(members, ",")+"]"), now
	}
	at := 0
	for at < len(now) && now[at] < call.a {
		at += 2
	}
	there := at < len(now) && now[at] == call.a
	switch call.f {
	case "hget":
		if !there {
			return fits(answer, "null"), now
		}
		return fits(answer, now[at+1]), now
	case "sismember":
		return fits(answer, flag(there)), now
	case "hdel", "srem":
		if !there {
			return fits(answer, "0"), now
		}
		next := append(append(make([]string, 0, len(now)), now[:at]...), now[at+2:]...)
		return fits(answer, "1"), next
	}
	next := append(make([]string, 0, len(now)+2), now[:at]...)
	next = append(next, call.a, call.b)
	if there {
		at += 2
	}
	next = append(next, now[at:]...)
	return fits(answer, flag(!there)), next
}
