// Package child runs a command on behalf of a tool: signals that reach the tool
// reach the command, and the command's exit code becomes the tool's.
//
// It starts nothing in the background and owns no files.
package child

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// Codes a shell uses, so that a tool in the middle stays invisible to scripts.
const (
	notStarted = 127
	bySignal   = 128
)

// Run starts cmd, forwards signals to it until it ends, and returns its exit
// code. A cmd with Setpgid gets them together with all its children. The error
// is set only when cmd could not be started.
func Run(cmd *exec.Cmd) (int, error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return notStarted, err
	}

	ended, forwarded := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(forwarded)
		for {
			select {
			case s := <-signals:
				send(cmd, s)
			case <-ended:
				return
			}
		}
	}()
	_ = cmd.Wait() // the code below says all that the error would
	close(ended)
	<-forwarded
	return exitCode(cmd.ProcessState), nil
}

// send ignores errors: the command may just have ended.
func send(cmd *exec.Cmd, s os.Signal) {
	if cmd.SysProcAttr != nil && cmd.SysProcAttr.Setpgid {
		_ = syscall.Kill(-cmd.Process.Pid, s.(syscall.Signal)) // kill(2): the group
		return
	}
	_ = cmd.Process.Signal(s)
}

func exitCode(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return bySignal + int(ws.Signal())
	}
	return state.ExitCode()
}
