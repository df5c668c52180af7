package appflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// reply is what a server says to one poll; a status of 0 is no answer.
type reply struct {
	status     int
	body       string
	retryAfter string
}

func oauthError(code string) reply {
	return reply{status: http.StatusBadRequest, body: fmt.Sprintf(`{"error":%q,"error_description":"words"}`, code)}
}

var (
	pending  = oauthError("authorization_pending")
	slowdown = oauthError("slow_down")
	lost     = reply{}
	granted  = reply{status: http.StatusOK, body: `{"access_token":"a","token_type":"Bearer","refresh_token":"r","expires_in":60}`}
)

// server answers polls in turn, the last for ever, and notes when they came.
type server struct {
	replies []reply
	began   time.Time
	polls   []time.Duration
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.polls = append(s.polls, time.Since(s.began))
	next := s.replies[min(len(s.polls), len(s.replies))-1]
	if next.status == 0 {
		return nil, errors.New("connection reset")
	}
	header := http.Header{}
	if next.retryAfter != "" {
		header.Set("Retry-After", next.retryAfter)
	}
	return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(strings.NewReader(next.body)), Request: r}, nil
}

func (s *server) client() *Client {
	return &Client{Endpoints: Endpoints{Token: "https://site/token"}, HTTP: &http.Client{Transport: s}, ID: "app"}
}

func openRequest(interval, life time.Duration) Request {
	return Request{DeviceCode: "code", UserCode: "ABCD-EFGH", VerificationURI: "https://site/verify", Asked: time.Now(), ExpiresIn: life, Interval: interval}
}

// TestAwait_VCD78_VCD82 fixes the second at which each poll goes out.
func TestAwait_VCD78_VCD82(t *testing.T) {
	throttled := reply{status: http.StatusTooManyRequests, body: `{"error":"slow_down"}`, retryAfter: "90"}
	busy := reply{status: http.StatusServiceUnavailable, retryAfter: "61"}
	for _, tt := range []struct {
		name    string
		life    time.Duration
		replies []reply
		at      []int // seconds
		want    string
	}{
		{"granted at the third poll", time.Hour, []reply{pending, pending, granted}, []int{10, 20, 30}, ""},
		{"slow_down adds five seconds for good", time.Hour, []reply{slowdown, pending, slowdown, granted}, []int{10, 25, 40, 60}, ""},
		{"lost answers double the interval until one comes", time.Hour, []reply{lost, lost, pending, granted}, []int{10, 30, 70, 80}, ""},
		{"a restart is waited for as long as it says", time.Hour, []reply{busy, pending, granted}, []int{10, 71, 81}, ""},
		{"a proxy's page is no decision", time.Hour, []reply{{status: 502, body: "<html>"}, granted}, []int{10, 30}, ""},
		{"Retry-After of 429, and then as before", time.Hour, []reply{throttled, pending, granted}, []int{10, 100, 110}, ""},
		{"an early Retry-After does not hurry", time.Hour, []reply{{status: 429, retryAfter: "1"}, granted}, []int{10, 20}, ""},
		{"denied", time.Hour, []reply{pending, oauthError("access_denied")}, []int{10, 20}, "access_denied: words"},
		{"expired", time.Hour, []reply{pending, oauthError("expired_token")}, []int{10, 20}, "the codes have expired\nexpired_token: words"},
		{"revoked", time.Hour, []reply{oauthError("invalid_grant")}, []int{10}, "invalid_grant: words"},
		{"redirected", time.Hour, []reply{{status: 307}}, []int{10}, "the server answered with status 307"},
		{"nobody answers", time.Minute, []reply{pending}, []int{10, 20, 30, 40, 50, 55}, "the codes have expired"},
		{"granted in the last interval", time.Minute, []reply{pending, pending, pending, pending, pending, granted}, []int{10, 20, 30, 40, 50, 55}, ""},
		{"unreachable to the end", time.Minute, []reply{lost}, []int{10, 30, 55}, "the codes have expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{replies: tt.replies, began: time.Now()}
				var reported []Progress
				tokens, err := s.client().Await(t.Context(), openRequest(10*time.Second, tt.life), func(p Progress) { reported = append(reported, p) })
				if got := fmt.Sprint(err); (err != nil || tt.want != "") && got != tt.want {
					t.Errorf("ended with %q, want %q", got, tt.want)
				}
				if tt.want == "" && (tokens.Refresh != "r" || tokens.ExpiresIn != time.Minute) {
					t.Errorf("got %+v", tokens)
				}
				if got := fmt.Sprint(inSeconds(s.polls)); got != fmt.Sprint(tt.at) {
					t.Errorf("polls at %s, want %v", got, tt.at)
				}
				for i, p := range reported {
					if next := p.Next.Sub(s.began); p.Polls != i+1 || next != s.polls[i+1] {
						t.Errorf("report %d says %d polls and the next at %s, which was at %s", i, p.Polls, next, s.polls[i+1])
					}
				}
			})
		})
	}
}

func inSeconds(list []time.Duration) (seconds []int) {
	for _, d := range list {
		seconds = append(seconds, int(d.Seconds()))
	}
	return seconds
}

func TestAwaitReportsWhatItMeets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{replies: []reply{pending, slowdown, {status: 429}, lost, {status: 503}, granted}, began: time.Now()}
		var states []State
		if _, err := s.client().Await(t.Context(), openRequest(time.Second, time.Hour), func(p Progress) { states = append(states, p.State) }); err != nil {
			t.Fatal(err)
		}
		if want := []State{Pending, SlowedDown, Throttled, Unreachable, Unreachable}; fmt.Sprint(states) != fmt.Sprint(want) {
			t.Errorf("reported %v, want %v", states, want)
		}
	})
}

// An interruption between two polls ends the waiting; one during a poll waits
// for the answer, which may hold the only token.
func TestAwaitInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &server{replies: []reply{pending}, began: time.Now()}
		time.AfterFunc(15*time.Second, cancel)
		if _, err := s.client().Await(ctx, openRequest(10*time.Second, time.Hour), func(Progress) {}); !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
		if len(s.polls) != 1 || time.Since(s.began) != 15*time.Second {
			t.Errorf("%d polls, ended after %s", len(s.polls), time.Since(s.began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := &Client{Endpoints: Endpoints{Token: "https://site/token"}, HTTP: &http.Client{Transport: slow(func() { cancel(); time.Sleep(10 * time.Second) })}}
		if tokens, err := c.Await(ctx, openRequest(time.Second, time.Hour), nil); err != nil || tokens.Refresh != "r" {
			t.Errorf("got %+v, %v", tokens, err)
		}
	})
}

// slow grants after it has called itself.
type slow func()

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	s()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(granted.body))}, nil
}

// A lost answer to a refresh is asked for again with the same token: no other
// could be presented.
func TestRefreshAsksAgain_R3(t *testing.T) {
	for _, tt := range []struct {
		replies []reply
		polls   int
		fails   bool
	}{
		{[]reply{lost, {status: 503}, granted}, 3, false},
		{[]reply{lost}, callTries, true},
		{[]reply{{status: 429, retryAfter: "9"}, granted}, 2, false},
		{[]reply{{status: 429, retryAfter: "11"}, granted}, 1, true},
		{[]reply{oauthError("invalid_grant")}, 1, true},
		{[]reply{{status: 200, body: "<html>"}}, 1, true},
		{[]reply{{status: 200, body: `{"token_type":"Bearer"}`}}, 1, true},
		{[]reply{{status: 200, body: `{"access_token":"a","token_type":"mac"}`}}, 1, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{replies: tt.replies}
			tokens, err := s.client().Refresh(t.Context(), "old")
			if len(s.polls) != tt.polls || (err != nil) != tt.fails || (err == nil && tokens.Refresh != "r") {
				t.Errorf("%v: %d requests, %+v, %v", tt.replies, len(s.polls), tokens, err)
			}
		})
	}
}

func TestAskComesBack_VCD25(t *testing.T) {
	opened := reply{status: 200, body: `{"device_code":"d","user_code":"u","verification_uri":"https://site/v","expires_in":60}`}
	for _, tt := range []struct {
		replies []reply
		at      []int
		fails   bool
	}{
		{[]reply{opened}, []int{0}, false},
		{[]reply{{status: 429, retryAfter: "30"}, {status: 429}, opened}, []int{0, 30, 40}, false},
		{[]reply{{status: 429, retryAfter: "30"}}, []int{0, 30, 60, 90, 120}, true},
		{[]reply{lost}, []int{0}, true}, // more likely a mistyped address than a restart
		{[]reply{oauthError("invalid_client")}, []int{0}, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{replies: tt.replies, began: time.Now()}
			c, reports := s.client(), 0
			c.Device = "https://site/device_authorization"
			r, err := c.Ask(t.Context(), func(Progress) { reports++ })
			if got := fmt.Sprint(inSeconds(s.polls)); got != fmt.Sprint(tt.at) || (err != nil) != tt.fails || reports != len(tt.at)-1 {
				t.Errorf("requests at %s, want %v; %d reports; %v", got, tt.at, reports, err)
			}
			if err == nil && !r.Asked.Equal(time.Now()) {
				t.Error("the codes' life is counted from the first request, not from the answered one")
			}
		})
	}
}
