package sitetest

import (
	"context"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	beRefresher()
	Main(m)
}

// stage is where the story plays: two sites, one of which can be taken away and
// brought back.
type stage struct {
	*Client
	folder      string // everything the sites write
	stop, start func(t *testing.T, site string)
}

// inProcess is a stage inside the test.
func inProcess(p *Pair) *stage {
	return &stage{
		Client: p.Client, folder: p.Folder,
		stop: func(t *testing.T, site string) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := p.StopSite(ctx, site); err != nil {
				t.Fatal(err)
			}
		},
		start: func(t *testing.T, site string) {
			if err := p.StartSite(context.Background(), site); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// processes is a stage of the built binary, which nothing but HTTPS reaches. It
// begins as one process; when a site is to go, the folder is first taken over by
// two, one for each site.
type processes struct {
	folder  string
	running map[string]*Process // by site; "" is both in one
}

// Call end before the test ends.
func newProcesses(t *testing.T) (s *stage, end func()) {
	t.Helper()
	p := &processes{folder: t.TempDir(), running: map[string]*Process{}}
	first, file := LaunchDev(t, p.folder, "")
	p.running[""] = first
	s = &stage{Client: NewClient(t, file), folder: p.folder}
	// Processes outlive the step that starts them: they belong to t.
	s.start = func(_ *testing.T, site string) { p.running[site], _ = LaunchDev(t, p.folder, site) }
	s.stop = func(step *testing.T, site string) {
		if both := p.running[""]; both != nil {
			both.Stop(step)
			delete(p.running, "")
			s.start(step, "west")
			s.start(step, "east")
		}
		p.running[site].Stop(step)
		delete(p.running, site)
		s.Hangup()
	}
	return s, func() {
		s.Hangup()
		for _, one := range p.running {
			one.Stop(t)
		}
	}
}

// step is one step of a story.
type step struct {
	name string
	play func(*testing.T)
}

// play plays steps one after the other. Each stands on those before it, so the
// first that fails is the last.
func play(t *testing.T, steps ...step) {
	t.Helper()
	for _, s := range steps {
		if !t.Run(s.name, s.play) {
			t.FailNow()
		}
	}
}
