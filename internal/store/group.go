package store

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"causeway/internal/tracing"
)

// mostTogether bounds how many are done together: enough to spread one wait for the
// disk thin, few enough that other writers need not wait long.
const mostTogether = 64

// group does what waits at the same time together: the way to the database and the
// wait for its disk, not the work, are what a refresh costs. Nobody waits for
// company: who comes while nothing is under way goes at once.
type group[Q, A any] struct {
	pool    *sql.DB
	jobs    chan job[Q, A] // unbuffered: a job that was taken gets an answer
	quit    chan struct{}
	running sync.WaitGroup
	// do gives an answer to each job, in their order.
	do func(*sql.Conn, []job[Q, A]) []answer[A]
	// alone does one that a batch found nothing out about. It may have to wait for
	// somebody, so it gets few of the connections, and batches keep the rest.
	alone func(context.Context, Q) (A, error)
	few   chan struct{}
	// pause is between the ends of two batches, for what is not worth a commit each
	// while much is asked; who comes after it goes at once.
	pause time.Duration
}

type job[Q, A any] struct {
	ctx    context.Context
	what   Q
	answer chan<- answer[A]
}

type answer[A any] struct {
	value A
	err   error
	alone bool
}

// start lets one batch be under way at a time, until d is closed. A second would
// halve both: that costs more than the wait for the disk that it would fill.
func (g *group[Q, A]) start(d *DB) *group[Q, A] {
	g.jobs, g.quit = make(chan job[Q, A]), make(chan struct{})
	g.few = make(chan struct{}, max(1, g.pool.Stats().MaxOpenConnections/4))
	g.running.Go(g.run)
	d.close = append([]func() error{g.stop}, d.close...)
	return g
}

func (g *group[Q, A]) stop() error {
	close(g.quit)
	g.running.Wait()
	return nil
}

// ask queues what. Until it is taken it may be given up.
func (g *group[Q, A]) ask(ctx context.Context, what Q) (none A, err error) {
	ctx, span := tracing.Start(ctx, "batch", tracing.Internal)
	defer func() { span.EndWith(err) }()
	c := make(chan answer[A], 1)
	select {
	case g.jobs <- job[Q, A]{ctx, what, c}:
	case <-ctx.Done():
		return none, ctx.Err()
	case <-g.quit:
		return none, sql.ErrConnDone
	}
	a := <-c
	if !a.alone {
		return a.value, a.err
	}
	select {
	case g.few <- struct{}{}:
		defer func() { <-g.few }()
		return g.alone(ctx, what)
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

func (g *group[Q, A]) run() {
	var next <-chan time.Time // nil: at once
	for {
		if next != nil {
			select {
			case <-next:
			case <-g.quit:
				return
			}
		}
		select {
		case j := <-g.jobs:
			g.together(j)
		case <-g.quit:
			return
		}
		if g.pause > 0 {
			next = time.After(g.pause)
		}
	}
}

// together waits for a connection and does first and all who came meanwhile.
func (g *group[Q, A]) together(first job[Q, A]) {
	conn, err := g.pool.Conn(first.ctx)
	if err != nil {
		first.answer <- answer[A]{err: err}
		return
	}
	defer conn.Close()
	jobs := g.gather(first)
	if len(jobs) == 0 {
		return
	}
	for i, a := range g.do(conn, jobs) {
		jobs[i].answer <- a
	}
}

// gather is first and all who wait, less those who have given up.
func (g *group[Q, A]) gather(first job[Q, A]) (jobs []job[Q, A]) {
	for next := first; ; {
		if err := next.ctx.Err(); err != nil {
			next.answer <- answer[A]{err: err}
		} else {
			jobs = append(jobs, next)
		}
		if len(jobs) == mostTogether {
			return jobs
		}
		select {
		case next = <-g.jobs:
		default:
			return jobs
		}
	}
}
