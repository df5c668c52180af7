package clients

import (
	"os"
	"os/exec"
	"testing"
)

// TestJavaScript runs openid-client and oauth4webapi, which the OpenID
// Foundation has certified, unmodified: see js/test.mjs. `make clients` installs
// what js/package-lock.json names.
func TestJavaScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("node is missing")
		}
		t.Skip("there is no node: the JavaScript clients are left out; install the Debian packages nodejs and npm")
	}
	if _, err := os.Stat("js/node_modules/openid-client"); err != nil {
		const missing = "the JavaScript clients are not installed: run make clients, which needs npm"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	f := start(t)
	r := newRealm(t, f, "javascript")
	cmd := exec.Command(node, "--test", "--test-reporter=spec", "test.mjs")
	cmd.Dir = "js"
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+f.CA, "API="+r.api, "ORG="+f.Sites[0].Organizations[0].Name,
		"ADMIN="+r.admin, "CLIENT_ID="+r.account)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
