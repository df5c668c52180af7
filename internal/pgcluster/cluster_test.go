package pgcluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestNewestComparesVersionsAsNumbers(t *testing.T) {
	root := t.TempDir()
	var dirs []string
	for _, version := range []string{"9.6", "15", "8.4", "18", "old"} {
		dir := filepath.Join(root, version, "bin")
		dirs = append(dirs, dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if version == "18" {
			continue // client programs only: no server to run
		}
		for _, program := range []string{"initdb", "postgres", "pg_ctl"} {
			if err := os.WriteFile(filepath.Join(dir, program), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, ok := newest(dirs); !ok || got != filepath.Join(root, "15", "bin") {
		t.Errorf("newest = %q, %v; want that of 15", got, ok)
	}
}

func TestCluster(t *testing.T) {
	bin := needPostgres(t)
	for _, tt := range []struct {
		name    string
		durable bool
		want    string
	}{
		{"throw-away", false, "off"},
		{"durable", true, "on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Start(t.Context(), bin, tt.durable)
			if err != nil {
				t.Fatal(err)
			}
			stopped := false
			defer func() {
				if !stopped {
					_ = c.Stop()
				}
			}()
			conn, err := pgx.Connect(t.Context(), c.URL())
			if err != nil {
				t.Fatal(err)
			}
			// Left open: Stop must not wait for clients.
			for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
				var got string
				if err := conn.QueryRow(t.Context(), "SHOW "+setting).Scan(&got); err != nil || got != tt.want {
					t.Errorf("%s is %q, %v; want %q", setting, got, err, tt.want)
				}
			}
			wrong := strings.Replace(c.URL(), "//postgres:", "//postgres:x", 1)
			if other, err := pgx.Connect(t.Context(), wrong); err == nil {
				_ = other.Close(t.Context())
				t.Error("a wrong password is let in")
			}
			stopped = true
			if err := c.Stop(); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
				t.Errorf("the directory is still there: %v", err)
			}
		})
	}
}

func needPostgres(t *testing.T) string {
	t.Helper()
	bin, ok := Find("")
	if !ok {
		t.Skip("PostgreSQL not found")
	}
	return bin
}

// TestStandby: what was committed before the primary was killed is there after.
func TestStandby(t *testing.T) {
	ctx := t.Context()
	primary, err := Start(ctx, needPostgres(t), true)
	if err != nil {
		t.Fatal(err)
	}
	defer primary.Stop()
	standby, err := primary.Standby(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Stop()
	url := primary.URLOf("postgres", standby)
	do := func(statement string) {
		t.Helper()
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	do("CREATE TABLE kept (n int)")
	do("INSERT INTO kept VALUES (1)")
	primary.Kill()
	if _, err := pgx.Connect(ctx, url); err == nil {
		t.Fatal("a standby takes writes")
	}
	if err := standby.Promote(ctx); err != nil {
		t.Fatal(err)
	}
	do("UPDATE kept SET n = 1 / n")
	if err := standby.Halt(ctx); err != nil {
		t.Fatal(err)
	}
	if err := standby.Resume(ctx); err != nil {
		t.Fatal(err)
	}
	do("INSERT INTO kept SELECT 1 / count(*) FROM kept")
}
