package benchtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc's processor times on Linux.
const tick = 10 * time.Millisecond

// Family is the processor time that a process and its children have used, those
// that ended included; zero where there is no /proc.
func Family(pid int) time.Duration {
	total := ticks(pid, true)
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for word := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				total += ticks(child, false)
			}
		}
	}
	return time.Duration(total) * tick
}

// Parent is a process's parent, 0 if that cannot be told.
func Parent(pid int) int {
	fields := stat(pid)
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

// ticks are user and system time, with ended of children that were waited for.
func ticks(pid int, ended bool) (total int) {
	fields := stat(pid)
	if len(fields) < 15 {
		return 0
	}
	last := 13
	if ended {
		last = 15
	}
	for _, field := range fields[11:last] {
		n, _ := strconv.Atoi(field)
		total += n
	}
	return total
}

// stat are the fields of proc(5)'s stat from the third on: the second may hold
// anything.
func stat(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}
