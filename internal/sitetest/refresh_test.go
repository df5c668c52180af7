package sitetest

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/journal"
	"causeway/internal/store/storetest"
)

// togetherCallers is how many show one token at once.
const togetherCallers = 200

func togetherRounds() int {
	if soaking {
		return 50
	}
	return 1
}

// TestR3ConcurrentRefreshesSoak presents one token two hundred times at
// once. Every caller must get the same successor, and so must the next round.
func TestR3ConcurrentRefreshesSoak(t *testing.T) {
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
			token = oneSuccessor(t, clients, "west", "acme", token)
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

// TestR3RefreshesAtTwoCellsSoak is the same with two processes that share nothing
// but the database: half of the callers ask one, half the other.
func TestR3RefreshesAtTwoCellsSoak(t *testing.T) {
	database := storetest.EmptyURL(t, storetest.Postgres)
	one := NewCell(t, database, manyRefreshes)
	two := one.Another(t, database)
	one.Init(t)
	cells := []*Cell{one, two}
	var clients []*Client
	for _, cell := range cells {
		process := cell.Begin(t)
		cell.Ready(t, process)
		defer process.Stop(t)
	}
	for i := range 8 {
		clients = append(clients, cells[i%len(cells)].Client(t))
	}
	t.Run("VCD-18 one token has one successor at every cell", func(t *testing.T) {
		c := clients[0]
		admin := c.Login(t, SiteName, System)
		client := c.Register(t, SiteName, System, admin, "app", sampleSoftware, "System Administrator")
		_, token := c.ConnectAs(t, SiteName, System, admin, client)
		token = oneSuccessor(t, clients, SiteName, System, token)
		c.Refresh(t, SiteName, System, token).Want(t, http.StatusOK)
		if _, account := c.Account(t, SiteName, admin, "app"); account["status"] != "ACTIVE" {
			t.Errorf("the account is %v", account["status"])
		}
	})
	for _, c := range clients {
		c.Hangup()
	}
	live, spent := count(t, database, "token_families WHERE revoked_at = 0"), count(t, database, "used_tokens")
	if live != 1 || spent != togetherRounds()+1 {
		t.Errorf("%d families live and %d tokens spent, want one and %d", live, spent, togetherRounds()+1)
	}
	if alarms := count(t, database, "journal WHERE action = '"+string(journal.FamilyReplayed)+"'"); alarms != 0 {
		t.Errorf("%d honest rounds were taken for thefts", alarms)
	}
}

// oneSuccessor lets all callers show token at once, then its successor, and so on.
// It returns the last.
func oneSuccessor(t *testing.T, clients []*Client, site, org, token string) string {
	t.Helper()
	for range togetherRounds() {
		begin := time.Now()
		answers := atOnce(togetherCallers, func(i int) (Answer, error) {
			return clients[i%len(clients)].TryForm(site, org, "token", "grant_type", "refresh_token", "refresh_token", token)
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
		if len(sessions) != togetherCallers {
			t.Errorf("%d callers share %d sessions", togetherCallers, len(sessions))
		}
		for token = range successors {
		}
		t.Logf("%d at once took %s", togetherCallers, took.Round(time.Millisecond))
	}
	return token
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
