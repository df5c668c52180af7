package pgcluster

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who the server runs as; a nil credential is whoever we are.
type account struct{ credential *syscall.Credential }

// serverAccount gives root's place to an unprivileged user, because initdb and
// postgres refuse to run as root.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return &account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

func (a *account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// tempDir makes a directory that only the account (and root) can enter.
func (a *account) tempDir() (string, error) {
	dir, err := os.MkdirTemp("", "causeway-pg-")
	if err != nil {
		return "", err
	}
	if err := a.own(dir); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

func (a *account) writeFile(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return a.own(path)
}

// command runs program as the account, in a session of its own: a terminal's
// Ctrl-C is for the tests, which still need the database to clean up.
func (a *account) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential, Setsid: true}
	return cmd
}

// command runs one of PostgreSQL's programs from the cluster's own directory:
// the account may not be able to enter ours.
func (c *Cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := c.as.command(ctx, filepath.Join(c.bin, program), args...)
	cmd.Dir = c.dir
	return cmd
}
