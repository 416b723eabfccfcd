// Models that cannot be split by key: transactions, and the store of strings judged as a whole.
package main

import (
	"encoding/json"
	"hash/fnv"
	"sort"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"
)

type command struct {
	f   string
	key int
	a   string
}

// Keys are numbered as they are met, processes as they come.
var keyNumbers = map[string]int{}
var processes = 0

func keyNumber(key string) int {
	number, known := keyNumbers[key]
	if !known {
		number = len(keyNumbers)
		keyNumbers[key] = number
	}
	return number
}

// The argument of watch ([key...]) or exec ([[f, key, value?]...]).
func readCommands(f string, argument json.RawMessage) []command {
	var commands []command
	if f == "watch" {
		var keys []string
		if err := json.Unmarshal(argument, &keys); err != nil {
			fail("%v: %s", err, argument)
		}
		for _, key := range keys {
			commands = append(commands, command{f: f, key: keyNumber(key)})
		}
		return commands
	}
	var parts [][]json.RawMessage
	if err := json.Unmarshal(argument, &parts); err != nil {
		fail("%v: %s", err, argument)
	}
	for _, words := range parts {
		one := command{f: plain(words[0]), key: keyNumber(plain(words[1]))}
		if len(words) > 2 {
			one.a = plain(words[2])
		}
		commands = append(commands, one)
	}
	return commands
}

// Values (or lists, as text) by key, and what each process watches.
type store struct {
	values  []string
	watched []uint64
	dirty   []bool
}

func transactions(empty string) porcupine.Model {
	return porcupine.Model{
		Init: func() interface{} {
			first := store{values: make([]string, len(keyNumbers)),
				watched: make([]uint64, processes), dirty: make([]bool, processes)}
			for i := range first.values {
				first.values[i] = empty
			}
			return first
		},
		Equal: func(a, b interface{}) bool {
			x, y := a.(store), b.(store)
			for i := range x.values {
				if x.values[i] != y.values[i] {
					return false
				}
			}
			for i := range x.watched {
				if x.watched[i] != y.watched[i] || x.dirty[i] != y.dirty[i] {
					return false
				}
			}
			return true
		},
		Hash: func(state interface{}) uint64 {
			now := state.(store)
			hash := fnv.New64a()
			for _, value := range now.values {
				hash.Write([]byte(value))
				hash.Write([]byte{0})
			}
			for i, watched := range now.watched {
				bits := watched << 1
				if now.dirty[i] {
					bits |= 1
				}
				hash.Write([]byte{byte(bits), byte(bits >> 8)})
			}
			return hash.Sum64()
		},
		Step: stepTransaction,
	}
}

func stepTransaction(state, in, out interface{}) (bool, interface{}) {
	now, call, answer := state.(store), in.(input), out.(output)
	next := store{now.values, append([]uint64(nil), now.watched...), append([]bool(nil), now.dirty...)}
	if call.f == "watch" {
		for _, each := range call.commands {
			next.watched[call.process] |= 1 << each.key
		}
		return true, next
	}
	aborts := now.dirty[call.process]
	next.watched[call.process], next.dirty[call.process] = 0, false
	if aborts || (!answer.unknown && answer.text == "null") {
		return aborts && (answer.unknown || answer.text == "null"), next
	}
	next.values = append([]string(nil), now.values...)
	for i, each := range call.commands {
		told, ok := perform(each, next)
		if !ok || (!answer.unknown && told != answer.parts[i]) {
			return false, state
		}
	}
	return true, next
}

func perform(each command, next store) (string, bool) {
	value := next.values[each.key]
	switch each.f {
	case "get":
		return value, true
	case "lrange":
		return value + "]", true
	case "set":
		next.values[each.key] = each.a
		for i, watched := range next.watched {
			if watched&(1<<each.key) != 0 {
				next.dirty[i] = true
			}
		}
		return "OK", true
	case "rpush":
		if value != "[" {
			value += ","
		}
		next.values[each.key] = value + each.a
		return strconv.Itoa(strings.Count(next.values[each.key], ",") + 1), true
	}
	return "", false
}

// All keys and their texts, by key.
func wholeText() porcupine.Model {
	return porcupine.Model{
		Init:  func() interface{} { return []string(nil) },
		Equal: sameList,
		Hash:  hashList,
		Step: func(state, in, out interface{}) (bool, interface{}) {
			now, call := state.([]string), in.(input)
			at := sort.Search(len(now)/2, func(i int) bool { return now[2*i] >= call.key })
			value := "null"
			present := 2*at < len(now) && now[2*at] == call.key
			if present {
				value = now[2*at+1]
			}
			ok, after := stepText(value, in, out)
			if !ok || after.(string) == value {
				return ok, state
			}
			next := append(append([]string(nil), now[:2*at]...), call.key, after.(string))
			if present {
				at++
			}
			return true, append(next, now[2*at:]...)
		},
	}
}
