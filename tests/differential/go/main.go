// opinions tdx|snp judges a case a line, as tests/differential/tdx_cases.cc and snp_cases.cc do, with go-tdx-guest and go-sev-guest. Each
// line of standard output is {"accepted":bool,"error":text}. Nothing is fetched: what a verifier asks for comes out of the case.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type opinion struct {
	Accepted bool   `json:"accepted"`
	Error    string `json:"error"`
}

// at is the time that a case names, in seconds since 1970.
func at(text string) (time.Time, error) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0).UTC(), err
}

// opinionOn turns a verifier's error, or its panic, into an opinion.
func opinionOn(judge func([]string) error, parts []string) (out opinion) {
	defer func() {
		if cause := recover(); cause != nil {
			out = opinion{Error: fmt.Sprintf("panic: %v", cause)}
		}
	}()
	if err := judge(parts); err != nil {
		return opinion{Error: err.Error()}
	}
	return opinion{Accepted: true}
}

// ownStandardOutput returns standard output and leaves its place to nobody: go-tdx-guest logs there.
func ownStandardOutput() (*os.File, error) {
	fd, err := syscall.Dup(1)
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "answers"), syscall.Dup3(int(null.Fd()), 1, 0)
}

func main() {
	judges := map[string]func([]string) error{"tdx": judgeTdx, "snp": judgeSnp}
	if len(os.Args) != 2 || judges[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: opinions tdx|snp")
		os.Exit(2)
	}
	answers, err := ownStandardOutput()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(answers)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if err := out.Encode(opinionOn(judges[os.Args[1]], strings.Split(strings.TrimSuffix(line, "\n"), "\t"))); err != nil {
			os.Exit(1)
		}
	}
}
