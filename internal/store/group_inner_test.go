package store

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Commits of what is asked all the while are spread out, and who comes after a quiet
// time waits for nothing.
func TestGroup_R13_PausesBetweenBatchesAndNotAfterAQuietTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := sql.Open("sqlite", ":memory:")
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		var batches []string
		const pause = 5 * time.Millisecond
		d := &DB{}
		g := (&group[int, int]{pool: db, pause: pause, do: func(_ *sql.Conn, jobs []job[int, int]) []answer[int] {
			batches = append(batches, fmt.Sprint(len(jobs), " at ", time.Since(begin)))
			return make([]answer[int], len(jobs))
		}}).start(d)
		ask := func() {
			if _, err := g.ask(t.Context(), 0); err != nil {
				t.Error(err)
			}
		}
		ask()
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(ask)
		}
		wait.Wait()
		time.Sleep(time.Second)
		ask()
		if got, want := fmt.Sprint(batches), "[1 at 0s 3 at 5ms 1 at 1.005s]"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if err := g.stop(); err != nil { // during a pause
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}
