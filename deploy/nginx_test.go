package deploy

import (
	"net/netip"
	"path/filepath"
	"testing"

	"causeway/internal/config"
	"causeway/internal/sitetest"
)

const nginxFile = "nginx/nginx.conf"

// TestNginx_R8_R13_R14_InFrontOfASite runs nginx in front of two cells.
func TestNginx_R8_R13_R14_InFrontOfASite(t *testing.T) {
	program := sitetest.Needs(t, "nginx", "nginx-light and libnginx-mod-stream")
	base, p := newPorts(t)
	f := startFront(t, base, p, func(c *config.Config) {
		c.Public.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	folder, west := t.TempDir(), filepath.Join(f.Folder, "west")
	file := derive(t, nginxFile,
		"user www-data;\n", "", "pid /run/nginx.pid;", "pid "+folder+"/nginx.pid; daemon off;",
		"error_log /var/log/nginx/error.log", "error_log stderr", "/var/log/nginx/access.log", folder+"/access.log",
		"http {\n", "http {\n"+scratch(t),
		"listen 443 ssl", "listen "+loopback(p.public)+" ssl", "\t\tlisten [::]:443 ssl http2;\n", "",
		"listen 7443", "listen "+loopback(p.peer), "\t\tlisten [::]:7443;\n", "",
		"10.0.0.11:8443", loopback(p.cell1), "10.0.0.12:8443", loopback(p.cell2),
		"10.0.0.11:7443", loopback(p.peer1), "10.0.0.12:7443", loopback(p.peer2),
		"/etc/causeway/tls.crt", filepath.Join(west, "public.pem"), "/etc/causeway/tls.key", filepath.Join(west, "public-key.pem"), "/etc/causeway/ca.pem", f.File.CA,
		"west.example.com", "localhost",
	)
	run(t, p.public, program, "-c", file)
	t.Run("R8 the client's own address arrives", f.wantTrueClient)
	app := f.app(t)
	t.Run("R10 other sites pass through", func(t *testing.T) { f.wantCrossing(t, app) })
	t.Run("R14 no request fails when a cell stops", f.wantNoneFailed)
	t.Run("R10 other sites find the cell that is left", func(t *testing.T) { f.wantCrossing(t, app) })
}

// scratch has nginx keep what it writes in a folder of the test's.
func scratch(t *testing.T) (directives string) {
	folder := t.TempDir()
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		directives += "\t" + what + "_temp_path " + filepath.Join(folder, what) + ";\n"
	}
	return directives
}
