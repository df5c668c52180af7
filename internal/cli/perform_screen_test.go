package cli

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/appflow"
)

func opened() appflow.Request {
	return appflow.Request{UserCode: "3VL8-SQVJ", VerificationURI: "https://site.example/tenant/acme/service-accounts",
		Asked: time.Now(), ExpiresIn: time.Hour, Interval: time.Minute}
}

var timeOfDay = regexp.MustCompile(`\d\d:\d\d:\d\d`)

// show plays a flow on a screen and returns what is on it.
func show(t *testing.T, s *screen) (shown string) {
	var out bytes.Buffer
	s.out, s.org, s.now = &out, "acme", time.Now
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s.waiting(appflow.Progress{State: appflow.Throttled, Next: began.Add(9 * time.Second), Err: errors.New("throttled")})
		s.asked(opened())
		polls := 0
		for _, state := range []appflow.State{appflow.Pending, appflow.Pending, appflow.Unreachable, appflow.SlowedDown, appflow.Throttled, appflow.Pending} {
			time.Sleep(50 * time.Second) // sooner than a line a minute
			polls++
			s.waiting(appflow.Progress{Polls: polls, State: state, Next: time.Now().Add(time.Minute)})
		}
		s.stop()
		s.warn("others can read it")
		s.granted("app.token")
		s.checked(appflow.Who{Name: "inventory-bot", Org: "acme", Roles: []string{"Inventory Operator"}})
		shown = timeOfDay.ReplaceAllStringFunc(out.String(), func(text string) string { // they are this machine's
			at, err := time.ParseInLocation(time.DateTime, began.Local().Format(time.DateOnly+" ")+text, time.Local)
			if err != nil {
				t.Error(err)
			}
			return "+" + clock((at.Sub(began)+24*time.Hour)%(24*time.Hour))
		})
	})
	return shown
}

const plain = `The site is busy with requests; asking again at +0:09.
An administrator of acme must grant this app access:

  1. open  https://site.example/tenant/acme/service-accounts
  2. type the code

         3VL8-SQVJ

The code is good for 60 minutes, until +1:00:00. Waiting for the answer; Ctrl-C gives up.

59:10 left, asked once: nobody has answered yet
57:30 left, asked 3 times: the site does not answer; again at +3:30
56:40 left, asked 4 times: the site wants to be asked less often; again at +4:20
55:50 left, asked 5 times: the site has too many requests; again at +5:10
55:00 left, asked 6 times: nobody has answered yet
Warning: others can read it
Access is granted. The token is in app.token.
A first call with it worked: this app is now inventory-bot of organization acme, with the role Inventory Operator.
`

func TestScreenWithoutATerminal(t *testing.T) {
	if got := show(t, &screen{utf8: true, width: 80}); got != plain {
		t.Errorf("shown:\n%s", got)
	}
}

func TestScreenOnATerminal_R2(t *testing.T) {
	got := show(t, &screen{terminal: true, utf8: true, width: 80})
	for what, want := range map[string]string{
		"a link":               "\x1b]8;;https://site.example/tenant/acme/service-accounts\x1b\\https://site.example/tenant/acme/service-accounts\x1b]8;;\x1b\\",
		"the code set apart":   "│   \x1b[1m3VL8-SQVJ\x1b[0m   │",
		"a QR code":            "\x1b[97;40m█████",
		"a countdown":          "\r\x1b[K59:59 left; asks first at +1:00\r\x1b[K59:58 left",
		"a line that is wiped": "\r\x1b[KWarning",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("without %s:\n%q", what, got)
		}
	}
	if strings.Count(got, "3VL8") != 1 {
		t.Error("the code is elsewhere, too")
	}
	for _, line := range strings.Split(got, "\r\x1b[K")[1:] {
		if line, _, _ = strings.Cut(line, "\n"); len([]rune(line)) >= 80 && !strings.HasPrefix(line, "Warning") {
			t.Errorf("too wide to be drawn over: %q", line)
		}
	}
	for name, s := range map[string]*screen{
		"a narrow window": {terminal: true, utf8: true, width: 30}, "no UTF-8": {terminal: true, width: 80}, "an unknown width": {terminal: true, utf8: true},
	} {
		if got := show(t, s); strings.Contains(got, "█") {
			t.Errorf("%s: a QR code is drawn", name)
		}
	}
}

// R2: an address that carries the user code is shown as text and as nothing else.
func TestScreenKeepsTheCodeOutOfLinks_R2(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, now: time.Now, terminal: true, utf8: true, width: 200}
	r := opened()
	r.VerificationURI += "?user_code=3VL8SQVJ"
	s.asked(r)
	s.stop()
	if strings.Contains(out.String(), "\x1b]8") || strings.Contains(out.String(), "█") || !strings.Contains(out.String(), r.VerificationURI) {
		t.Errorf("shown: %q", out.String())
	}
}

func TestSpeaksUTF8(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"LANG": "de_DE.UTF-8"}, true},
		{map[string]string{"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, false},
		{map[string]string{"LANG": "C", "LC_CTYPE": "C.utf8"}, true},
	} {
		if got := speaksUTF8(func(name string) string { return tt.env[name] }); got != tt.want {
			t.Errorf("%v: %v", tt.env, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1 second", 119 * time.Second: "119 seconds", time.Hour: "60 minutes", 3 * time.Hour: "3 hours", 720 * time.Hour: "30 days",
	} {
		if got := duration(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0:00", 59 * time.Second: "0:59", 3599 * time.Second: "59:59", 3601 * time.Second: "1:00:01"} {
		if got := clock(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}
