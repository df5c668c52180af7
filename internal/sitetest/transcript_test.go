package sitetest

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTranscript pastes what `causeway dev` prints into a shell, line by line,
// and looks at what the decisive lines answer.
func TestTranscript(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the transcript is for people with bash and curl, and so is its test: install %s", tool)
		}
	}
	folder := t.TempDir()
	p := Launch(t, "dev", "--folder", folder, "--listen-base", "0")
	defer p.Stop(t)
	const before = "line by line:\n\n"
	var transcript string
	p.AwaitOut(t, 2*time.Minute, func(text string) bool {
		if !strings.Contains(text, before) {
			return false
		}
		var err error
		if transcript, err = readDev(t, folder).Transcript(); err != nil {
			t.Fatal(err)
		}
		return strings.HasSuffix(text, before+transcript+"\n")
	})
	wantGreeting(t, p.Out(), folder)

	lines := strings.Split(strings.TrimSpace(transcript), "\n")
	answers := paste(t, lines)
	at := 0
	for _, want := range []struct{ line, answer string }{
		{`/oauth/tenant/acme/register`, `"client_id":"[0-9a-f-]{36}".*"scope":"urn:vcloud:role:Inventory%20Operator"`},
		{`device_authorization`, `"user_code":"\w{4}-\w{4}"`},
		{`poll`, `"error":"authorization_pending".*"minorErrorCode":"authorization_pending"`},
		{`/deviceLookup`, `"name":"inventory-bot".*"requesterAddress":`},
		{`/deviceLookup/grant`, `^204\s*$`},
		{`TOKENS=$(poll)`, `"refresh_token":"\w{32}"`},
		{`/sample/inventory`, `"role":"Inventory Operator","service":"sample","site":"west"`},
		{`SECOND=`, `^\w{32} \w{32}\s*$`},
		{`refresh $SECOND`, `"access_token":"`},
		{`AUTH-CONTEXT: acme-labs`, `"organization":"acme-labs".*"role":"Inventory Operator".*"site":"east"`},
		{`/sample/audit`, `"organization":"acme".*"role":"Inventory Auditor".*"site":"east"`},
		{`/sample/audit`, `ACCESS_TO_RESOURCE_IS_FORBIDDEN`},
		{`/sample/reservations`, `"did":"made a reservation".*"site":"west"`},
		{`/sample/reservations`, `ACCESS_TO_RESOURCE_IS_FORBIDDEN`},
		{`globex`, `not available to this session`},
		{`/revoke`, `^204\s*$`},
		{`AUTH-CONTEXT: acme-labs`, `UNAUTHORIZED`},
	} {
		for at < len(lines) && (!strings.Contains(lines[at], want.line) || strings.Contains(lines[at], "() {")) {
			at++
		}
		if at == len(lines) {
			t.Fatalf("no further line has %q", want.line)
		}
		if !regexp.MustCompile(want.answer).MatchString(answers[at]) {
			t.Errorf("%s\nanswers\n%s\nwant %s", lines[at], answers[at], want.answer)
		}
		if first, second, ok := strings.Cut(strings.TrimSpace(answers[at]), " "); want.line == "SECOND=" && ok && first != second {
			t.Error("the spent token gave two successors")
		}
		at++
	}
}

// paste runs lines in one shell and returns what each printed.
func paste(t *testing.T, lines []string) []string {
	t.Helper()
	const mark = "--- end of line"
	var script strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&script, "%s\necho '%s %d'\n", line, mark, i)
	}
	shell := exec.Command("bash", "--noprofile", "--norc")
	shell.Stdin = strings.NewReader(script.String())
	var stderr strings.Builder
	shell.Stderr = &stderr
	out, err := shell.Output()
	if err != nil || stderr.Len() > 0 {
		t.Errorf("bash: %v\n%s", err, stderr.String())
	}
	answers := make([]string, len(lines))
	rest := string(out)
	for i := range lines {
		var found bool
		if answers[i], rest, found = strings.Cut(rest, fmt.Sprintf("%s %d\n", mark, i)); !found {
			t.Fatalf("the shell stopped in line %d:\n%s\n%s%s", i, lines[i], answers[i], stderr.String())
		}
	}
	return answers
}

// wantGreeting wants what people need to begin: links, logins, the CA.
func wantGreeting(t *testing.T, greeting, folder string) {
	t.Helper()
	file := readDev(t, folder)
	words := []string{file.CA, folder, "Ctrl-C"}
	for _, s := range file.Sites {
		words = append(words, s.API, s.Ops, s.Admin.User, s.Admin.Password)
		for _, o := range s.Organizations {
			words = append(words, o.Name, o.Admin.User, o.Admin.Password)
		}
	}
	for _, word := range words {
		if !strings.Contains(greeting, word) {
			t.Errorf("the greeting does not show %q", word)
		}
	}
}
