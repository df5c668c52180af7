package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/mdp/qrterminal/v3"
	"golang.org/x/term"

	"causeway/internal/appflow"
)

// screen tells people how it goes. On a terminal one line is drawn again each
// second; elsewhere a line comes when something changes, or each minute.
type screen struct {
	out      io.Writer
	org      string
	terminal bool
	utf8     bool
	width    int // columns
	now      func() time.Time

	mu      sync.Mutex
	request appflow.Request
	last    appflow.Progress
	told    time.Time
	ticking chan struct{} // closed to end the drawing
	drawn   chan struct{} // closed when it has ended
}

func newScreen(out io.Writer, org string) *screen {
	s := &screen{out: out, org: org, now: time.Now, utf8: speaksUTF8(os.Getenv)}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		s.terminal = true
		s.width, _, _ = term.GetSize(int(f.Fd())) // 0: nothing wide is drawn
	}
	return s
}

// speaksUTF8 follows the order in which a C library asks the environment.
func speaksUTF8(env func(string) string) bool {
	locale := strings.ToUpper(cmp.Or(env("LC_ALL"), env("LC_CTYPE"), env("LANG")))
	return strings.Contains(locale, "UTF-8") || strings.Contains(locale, "UTF8")
}

func (s *screen) asked(r appflow.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.request, s.last, s.told = r, appflow.Progress{}, s.now()
	fmt.Fprintf(s.out, "An administrator of %s must grant this app access:\n\n", s.org)
	fmt.Fprintf(s.out, "  1. open  %s\n  2. type the code\n\n%s\n", s.link(), s.code())
	s.qrCode()
	fmt.Fprintf(s.out, "The code is good for %s, until %s. Waiting for the answer; Ctrl-C gives up.\n\n",
		duration(r.ExpiresIn), r.Expires().Local().Format("15:04:05"))
	if s.terminal {
		s.ticking, s.drawn = make(chan struct{}), make(chan struct{})
		go s.tick(s.ticking, s.drawn)
	}
}

// link makes the address one to click on (OSC 8), where that is harmless.
func (s *screen) link() string {
	uri, ok := s.request.Link()
	if !ok || !s.terminal {
		return s.request.VerificationURI
	}
	return "\x1b]8;;" + uri + "\x1b\\" + uri + "\x1b]8;;\x1b\\"
}

// code sets the user code apart: people read it from here and type it there.
func (s *screen) code() string {
	code := s.request.UserCode
	if !s.terminal || !s.utf8 {
		return "         " + code + "\n"
	}
	edge := strings.Repeat("─", utf8.RuneCountInString(code)+6)
	return fmt.Sprintf("     ┌%s┐\n     │   \x1b[1m%s\x1b[0m   │\n     └%s┘\n", edge, code, edge)
}

// maxScanned keeps the QR code within a window.
const maxScanned = 200

// qrCode shows the address, and never the user code, to who has it on a phone.
// Its colours are set, for a scanner needs dark on light whatever the terminal's.
func (s *screen) qrCode() {
	uri, ok := s.request.Link()
	if !ok || !s.terminal || !s.utf8 || len(uri) > maxScanned {
		return
	}
	var drawn bytes.Buffer
	qrterminal.GenerateWithConfig(uri, qrterminal.Config{Level: qrterminal.L, Writer: &drawn, HalfBlocks: true, QuietZone: 2})
	lines := strings.Split(strings.TrimRight(drawn.String(), "\n"), "\n")
	if utf8.RuneCountInString(lines[0])+2 > s.width {
		return
	}
	for _, line := range lines {
		fmt.Fprintf(s.out, "  \x1b[97;40m%s\x1b[0m\n", line)
	}
	fmt.Fprint(s.out, "  the same address, without the code\n\n")
}

func (s *screen) waiting(p appflow.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := p.State != s.last.State
	s.last = p
	switch {
	case s.request.UserCode == "":
		fmt.Fprintf(s.out, "The site is busy with requests; asking again at %s.\n", p.Next.Local().Format("15:04:05"))
	case s.terminal:
		s.draw()
	case changed || s.now().Sub(s.told) >= time.Minute:
		s.told = s.now()
		fmt.Fprintln(s.out, s.line())
	}
}

// tick draws the line each second, so that the time that is left runs.
func (s *screen) tick(end <-chan struct{}, drawn chan<- struct{}) {
	defer close(drawn)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		s.mu.Lock()
		s.draw()
		s.mu.Unlock()
		select {
		case <-ticker.C:
		case <-end:
			return
		}
	}
}

func (s *screen) draw() {
	line := s.line()
	if s.width > 1 && utf8.RuneCountInString(line) >= s.width {
		line = string([]rune(line)[:s.width-1]) // a line that wraps is not drawn over
	}
	fmt.Fprint(s.out, "\r\x1b[K", line)
}

func (s *screen) line() string {
	left := clock(max(s.request.Expires().Sub(s.now()), 0))
	if s.last.Polls == 0 {
		return fmt.Sprintf("%s left; asks first at %s", left, s.request.Asked.Add(s.request.Interval).Local().Format("15:04:05"))
	}
	return fmt.Sprintf("%s left, asked %s: %s", left, times(s.last.Polls), s.state())
}

func (s *screen) state() string {
	again := "again at " + s.last.Next.Local().Format("15:04:05")
	switch s.last.State {
	case appflow.SlowedDown:
		return "the site wants to be asked less often; " + again
	case appflow.Throttled:
		return "the site has too many requests; " + again
	case appflow.Unreachable:
		return "the site does not answer; " + again
	}
	return "nobody has answered yet"
}

func (s *screen) stop() {
	s.mu.Lock()
	ticking := s.ticking
	s.ticking = nil
	s.mu.Unlock()
	if ticking == nil {
		return
	}
	close(ticking)
	<-s.drawn
	fmt.Fprint(s.out, "\r\x1b[K")
}

func (s *screen) granted(file string) {
	fmt.Fprintf(s.out, "Access is granted. The token is in %s.\n", file)
}

func (s *screen) checked(w appflow.Who) {
	fmt.Fprintf(s.out, "A first call with it worked: this app is now %s.\n", describe(w))
}

func (s *screen) warn(message string) { fmt.Fprintln(s.out, "Warning:", message) }

func (s *screen) failed(string, error) {} // the error is printed where errors are

func describe(w appflow.Who) string {
	text := fmt.Sprintf("%s of organization %s", w.Name, w.Org)
	switch len(w.Roles) {
	case 0:
	case 1:
		text += ", with the role " + w.Roles[0]
	default:
		text += ", with the roles " + strings.Join(w.Roles, ", ")
	}
	return text
}
