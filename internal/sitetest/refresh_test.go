package sitetest

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"causeway/internal/config"
)

// TestR3ConcurrentRefreshesSoak presents one token two hundred times at
// once. Every caller must get the same successor, and so must the next round.
func TestR3ConcurrentRefreshesSoak(t *testing.T) {
	const callers = 200
	rounds := 1
	if soaking {
		rounds = 50
	}
	Each(t, func(t *testing.T, p *Pair) {
		t.Run("VCD-18 one token has one successor", func(t *testing.T) {
			c := p.Client
			admin := c.Login(t, "west", "acme")
			client, _ := c.Account(t, "west", admin, c.File.Account.Name)
			_, token := c.ConnectAs(t, "west", "acme", admin, client)
			// Several connections: on one alone the requests would come in order.
			var clients []*Client
			for range 8 {
				clients = append(clients, NewClient(t, c.File))
			}
			for range rounds {
				begin := time.Now()
				answers := atOnce(callers, func(i int) (Answer, error) {
					return clients[i%len(clients)].TryForm("west", "acme", "token", "grant_type", "refresh_token", "refresh_token", token)
				})
				took := time.Since(begin)
				successors, sessions := map[string]int{}, map[string]bool{}
				for _, a := range answers {
					if a.err != nil {
						t.Fatal(a.err)
					}
					a.Want(t, http.StatusOK)
					successors[a.String(t, "refresh_token")]++
					sessions[a.String(t, "access_token")] = true
				}
				if len(successors) != 1 || successors[token] != 0 {
					t.Fatalf("one token has %d successors", len(successors))
				}
				if len(sessions) != callers {
					t.Errorf("%d callers share %d sessions", callers, len(sessions))
				}
				for token = range successors {
				}
				t.Logf("%d at once took %s", callers, took.Round(time.Millisecond))
			}
			c.Refresh(t, "west", "acme", token).Want(t, http.StatusOK)
			if _, account := c.Account(t, "west", admin, c.File.Account.Name); account["status"] != "ACTIVE" {
				t.Errorf("the account is %v", account["status"])
			}
		})
	}, Adjust(func(c *config.Config) { // ten thousand in a minute are too many for one account
		c.Limits.TokenRefresh.Account = config.Budget{Tokens: 400_000, Per: time.Second}
		c.Limits.TokenRefresh.Org = config.Budget{Tokens: 1_000_000, Per: time.Second}
	}))
}

type outcome struct {
	Answer
	err error
}

// atOnce calls f n times, all let loose together.
func atOnce(n int, f func(i int) (Answer, error)) []outcome {
	outcomes := make([]outcome, n)
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-gate
			outcomes[i].Answer, outcomes[i].err = f(i)
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	return outcomes
}
