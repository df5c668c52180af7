package child

import (
	"bufio"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

func TestRunReturnsTheExitCode(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		want         int
	}{
		{"success", "exit 0", 0},
		{"failure", "exit 7", 7},
		{"killed", "kill -9 $$", 128 + 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Run(exec.Command("sh", "-c", tt.script))
			if err != nil || got != tt.want {
				t.Errorf("Run(%q) = %d, %v; want %d", tt.script, got, err, tt.want)
			}
		})
	}
	t.Run("no such command", func(t *testing.T) {
		if got, err := Run(exec.Command("causeway-no-such-command")); err == nil || got != 127 {
			t.Errorf("Run = %d, %v; want 127 and an error", got, err)
		}
	})
}

// A supervisor that asks the tool to end must end the command, which decides
// its own exit code. In a group of its own the command's children hear it too:
// the shell is deaf here, and ends because its child did.
func TestRunForwardsSignals(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		group        bool
		want         int
	}{
		{"to the command", `trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done`, false, 5},
		{"to its group", `trap : TERM; sh -c 'echo ready; exec sleep 60'; exit 6`, true, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			defer w.Close()
			cmd := exec.Command("sh", "-c", tt.script)
			cmd.Stdout = w
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: tt.group}
			sent := make(chan error, 1)
			go func() {
				if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
					sent <- err
					return
				}
				sent <- syscall.Kill(os.Getpid(), syscall.SIGTERM)
			}()
			got, err := Run(cmd)
			if err != nil || got != tt.want {
				t.Errorf("Run = %d, %v; want %d", got, err, tt.want)
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
		})
	}
}
