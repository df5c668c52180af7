package store

import (
	"context"
	"database/sql"

	"causeway/oauth"
)

// mostTogether bounds how many rotations one transaction commits: enough to
// spread one fsync thin, few enough that other writers need not wait long.
const mostTogether = 64

// group commits rotations that wait for SQLite's one writer together: at
// synchronous=FULL the disk, not the work, is what a rotation costs.
type group struct {
	db      *DB
	jobs    chan job // unbuffered: a job that was taken gets an answer
	quit    chan struct{}
	stopped chan struct{}
}

type job struct {
	ctx      context.Context
	rotation oauth.Rotation
	answer   chan<- answer
}

type answer struct {
	rotated bool
	err     error
}

func newGroup(d *DB) *group {
	g := &group{db: d, jobs: make(chan job), quit: make(chan struct{}), stopped: make(chan struct{})}
	go g.run()
	return g
}

func (g *group) stop() error {
	close(g.quit)
	<-g.stopped
	return nil
}

// rotate queues r. Until it is taken it may be given up.
func (g *group) rotate(ctx context.Context, r oauth.Rotation) (bool, error) {
	c := make(chan answer, 1)
	select {
	case g.jobs <- job{ctx, r, c}:
	case <-ctx.Done():
		return false, ctx.Err()
	case <-g.quit:
		return false, sql.ErrConnDone
	}
	a := <-c
	return a.rotated, a.err
}

func (g *group) run() {
	defer close(g.stopped)
	for {
		select {
		case j := <-g.jobs:
			g.together(j)
		case <-g.quit:
			return
		}
	}
}

// together waits for the writer and commits first and all who came meanwhile.
func (g *group) together(first job) {
	conn, err := g.db.write.sql.Conn(first.ctx)
	if err != nil {
		first.answer <- answer{err: err}
		return
	}
	defer conn.Close()
	jobs := []job{first}
	for len(jobs) < mostTogether {
		select {
		case j := <-g.jobs:
			jobs = append(jobs, j)
			continue
		default:
		}
		break
	}
	answers, err := g.commit(conn, jobs)
	for i, j := range jobs {
		switch {
		case err == nil:
			j.answer <- answers[i]
		case len(jobs) == 1:
			j.answer <- answer{err: err}
		default: // one spoiled it for all: each on its own
			j.answer <- g.alone(conn, j)
		}
	}
}

func (g *group) alone(conn *sql.Conn, j job) answer {
	answers, err := g.commit(conn, []job{j})
	if err != nil {
		return answer{err: err}
	}
	return answers[0]
}

// commit runs jobs in one transaction. An error means that none happened.
func (g *group) commit(conn *sql.Conn, jobs []job) ([]answer, error) {
	ctx := context.WithoutCancel(jobs[0].ctx)
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	answers := make([]answer, len(jobs))
	for i, j := range jobs {
		if answers[i].err = j.ctx.Err(); answers[i].err != nil {
			continue // given up while it waited
		}
		db := g.db.write.session(context.WithoutCancel(j.ctx), counted{tx, g.db.stats})
		if answers[i].rotated, err = rotation(db, rotateSQLite, j.rotation); err != nil {
			_ = tx.Rollback()
			return nil, err
		}
	}
	if err := tx.Commit(); err != nil {
		g.db.abandon(ctx, conn)
		return nil, err
	}
	return answers, nil
}
