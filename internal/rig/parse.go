package rig

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"causeway/federation/memnet"
)

// Bounds of a script: what one process can carry, and a day.
const (
	maxScript = 64 << 10
	maxSites  = 16
	maxCells  = 5
	maxSteps  = 1000
	maxTime   = 24 * time.Hour
	leastTime = time.Millisecond // between requests
)

var siteName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// Parse reads a script. The error names every line that is wrong.
func Parse(text string) (*Script, error) {
	if len(text) > maxScript {
		return nil, fmt.Errorf("a script has at most %d bytes", maxScript)
	}
	p := &parser{script: &Script{Seed: 1, Gossip: "wan"}}
	var errs []error
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		p.words = strings.Fields(strings.ReplaceAll(line, "->", " -> "))
		if len(p.words) == 0 {
			continue
		}
		p.line = i + 1
		if err := p.statement(); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", p.line, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p.script, p.finish()
}

// parser reads one line after the other, and each word by word.
type parser struct {
	script *Script
	line   int
	words  []string
	at     time.Duration
	timed  bool // a time was given: the world is described
	ended  bool
}

func (p *parser) finish() error {
	s := p.script
	if len(s.Sites) == 0 {
		return errors.New("a script has at least one site")
	}
	slices.SortStableFunc(s.Steps, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	for _, step := range s.Steps {
		over := step.At
		if step.Verb == Expect {
			over += step.Expect.Time
		}
		if p.ended && over > s.End {
			return fmt.Errorf("line %d: is over only after the end", step.Line)
		}
		s.End = max(s.End, over)
	}
	return nil
}

// next takes a word; "" is the end of the line.
func (p *parser) next() string {
	if len(p.words) == 0 {
		return ""
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w
}

// accept takes the next word if it is this one.
func (p *parser) accept(word string) bool {
	if len(p.words) > 0 && p.words[0] == word {
		p.words = p.words[1:]
		return true
	}
	return false
}

func (p *parser) statement() (err error) {
	switch {
	case !p.timed && p.accept("seed"):
		p.script.Seed, err = strconv.ParseUint(p.next(), 10, 64)
		return p.rest(err)
	case !p.timed && p.accept("site"):
		return p.site()
	case !p.timed && p.accept("gossip"):
		p.script.Gossip = p.next()
		return p.rest(oneOf(p.script.Gossip, "wan", "lan", "off"))
	case p.accept("end"):
		p.ended = true
		p.script.End, err = p.duration()
		return p.rest(err)
	case p.accept("at"):
		if p.at, err = p.duration(); err != nil {
			return err
		}
		if p.timed = true; len(p.words) == 0 {
			return nil // what follows is of that time
		}
	}
	return p.step()
}

func (p *parser) rest(err error) error {
	if err == nil && len(p.words) > 0 {
		err = fmt.Errorf("%q is one word too many", p.words[0])
	}
	return err
}

func oneOf(word string, words ...string) error {
	if !slices.Contains(words, word) {
		return fmt.Errorf("%q is none of %s", word, strings.Join(words, ", "))
	}
	return nil
}

func (p *parser) site() (err error) {
	plan := SitePlan{Name: p.next(), Cells: 1}
	if !siteName.MatchString(plan.Name) {
		return fmt.Errorf("%q is not a site's name: small letters, digits and hyphens", plan.Name)
	}
	if p.known(plan.Name) || plan.Name == "all" {
		return fmt.Errorf("there is a site %s already", plan.Name)
	}
	if len(p.script.Sites) == maxSites {
		return fmt.Errorf("at most %d sites", maxSites)
	}
	if p.accept("cells") {
		plan.Cells, err = p.number(1, maxCells)
	}
	p.script.Sites = append(p.script.Sites, plan)
	return p.rest(err)
}

func (p *parser) known(site string) bool {
	return slices.ContainsFunc(p.script.Sites, func(s SitePlan) bool { return s.Name == site })
}

func (p *parser) number(least, most int) (int, error) {
	w := p.next()
	n, err := strconv.Atoi(w)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q is not a number from %d to %d", w, least, most)
	}
	return n, nil
}

func (p *parser) duration() (time.Duration, error) {
	w := p.next()
	d, err := time.ParseDuration(w)
	if err != nil || d < 0 || d > maxTime {
		return 0, fmt.Errorf("%q is not a time from 0s to %v", w, maxTime)
	}
	return d, nil
}

// named takes a site's name.
func (p *parser) named() (string, error) {
	w := p.next()
	if !p.known(w) {
		return "", fmt.Errorf("there is no site %q", w)
	}
	return w, nil
}

// step reads what happens and notes it.
func (p *parser) step() error {
	s := Step{Line: p.line, At: p.at, Verb: Verb(p.next())}
	var err error
	switch s.Verb {
	case Associate:
		return p.associate(s)
	case SetLink:
		if err = p.two(&s); err == nil {
			err = p.link(&s.Link)
		}
		if err == nil && !p.timed {
			p.script.Setup = append(p.script.Setup, s)
			return p.rest(nil)
		}
	case Cut, Heal, Reset:
		err = p.two(&s)
	case Remove:
		if err = p.two(&s); s.OneWay {
			err = errors.New("remove takes two sites")
		}
	case Skew:
		err = p.skew(&s)
	case Crash, Stop, Start, Break, Mend:
		err = p.cells(&s)
	case Revoke, Login, Disable, Enable:
		s.A, err = p.named()
	case Every:
		err = p.every(&s)
	case Expect:
		err = p.expect(&s)
	default:
		return fmt.Errorf("%q is not a statement", s.Verb)
	}
	if err := p.rest(err); err != nil {
		return err
	}
	if !p.timed {
		return fmt.Errorf("%s needs a time: at 0s %s", s.Verb, s.Verb)
	}
	if len(p.script.Steps) == maxSteps {
		return fmt.Errorf("at most %d steps", maxSteps)
	}
	p.script.Steps = append(p.script.Steps, s)
	return nil
}

// two takes two different sites, with an arrow between them for one direction.
func (p *parser) two(s *Step) (err error) {
	if s.A, err = p.named(); err != nil {
		return err
	}
	s.OneWay = p.accept("->")
	if s.B, err = p.named(); err == nil && s.A == s.B {
		err = fmt.Errorf("%s and itself", s.A)
	}
	return err
}

func (p *parser) associate(s Step) error {
	var pairs [][2]string
	if p.accept("all") {
		for i, a := range p.script.Sites {
			for _, b := range p.script.Sites[i+1:] {
				pairs = append(pairs, [2]string{a.Name, b.Name})
			}
		}
	} else {
		if err := p.two(&s); err != nil {
			return err
		}
		if s.OneWay {
			return errors.New("both sides are associated; remove takes one away")
		}
		pairs = [][2]string{{s.A, s.B}}
	}
	s.SitesOnly = p.accept("sites")
	for _, pair := range pairs {
		s.A, s.B = pair[0], pair[1]
		if p.timed {
			p.script.Steps = append(p.script.Steps, s)
		} else {
			p.script.Setup = append(p.script.Setup, s)
		}
	}
	if len(p.script.Steps)+len(p.script.Setup) > maxSteps {
		return fmt.Errorf("at most %d steps", maxSteps)
	}
	return p.rest(nil)
}

func (p *parser) link(l *memnet.Link) (err error) {
	if l.Latency, err = p.duration(); err != nil {
		return err
	}
	for err == nil && len(p.words) > 0 {
		switch word := p.next(); word {
		case "jitter":
			l.Jitter, err = p.duration()
		case "loss":
			l.Loss, err = percent(p.next())
		case "rate":
			l.Bandwidth, err = p.number(1, 1<<40)
		default:
			err = fmt.Errorf("%q is none of jitter, loss, rate", word)
		}
	}
	return err
}

func percent(w string) (float64, error) {
	n, isPercent := strings.CutSuffix(w, "%")
	f, err := strconv.ParseFloat(n, 64)
	if err != nil || !isPercent || !(f >= 0 && f <= 100) {
		return 0, fmt.Errorf("%q is not a percentage", w)
	}
	return f, nil
}

func (p *parser) skew(s *Step) (err error) {
	if s.A, err = p.named(); err != nil {
		return err
	}
	w := p.next()
	if s.Skew, err = time.ParseDuration(w); err != nil || s.Skew.Abs() > maxTime {
		return fmt.Errorf("%q is not a time like +45s", w)
	}
	return nil
}

func (p *parser) cells(s *Step) (err error) {
	if s.A, err = p.named(); err != nil || len(p.words) == 0 {
		return err
	}
	i := slices.IndexFunc(p.script.Sites, func(plan SitePlan) bool { return plan.Name == s.A })
	s.Cell, err = p.number(1, p.script.Sites[i].Cells)
	return err
}

// request takes the word and "west -> east", or "west" alone.
func (p *parser) request(s *Step) (err error) {
	if !p.accept("request") {
		return errors.New("expected: request west -> east")
	}
	if s.A, err = p.named(); err == nil && p.accept("->") {
		s.B, err = p.named()
	}
	if s.B == s.A {
		s.B = ""
	}
	return err
}

func (p *parser) every(s *Step) (err error) {
	if s.Every, err = p.duration(); err != nil {
		return err
	}
	if s.Every < leastTime {
		return fmt.Errorf("not more often than every %v", leastTime)
	}
	if err = p.request(s); err == nil && p.accept("until") {
		s.Until, err = p.duration()
	}
	return err
}

func (p *parser) expect(s *Step) (err error) {
	e := &s.Expect
	if len(p.words) > 0 && p.words[0] == string(LookRequest) {
		e.Look = LookRequest
		err = p.request(s)
	} else if s.A, err = p.named(); err == nil {
		e.Look = Look(p.next())
		switch e.Look {
		case LookStatus, LookOrg:
			s.B, err = p.named()
		case LookMembers, LookReady:
		default:
			err = fmt.Errorf("%q is none of status, org, members, ready", e.Look)
		}
	}
	if err != nil {
		return err
	}
	e.Value = p.next()
	if err := e.check(); err != nil {
		return err
	}
	how := p.next()
	if err := oneOf(how, "within", "for"); err != nil {
		return err
	}
	e.For = how == "for"
	e.Time, err = p.duration()
	return err
}

// check refuses values that could never be seen.
func (e Expectation) check() error {
	switch e.Look {
	case LookRequest, LookMembers:
		if e.Look == LookRequest && e.Value == refused {
			return nil
		}
		if n, err := strconv.Atoi(e.Value); (err != nil || n < 0 || n > 10_000) && e.Value != none {
			return fmt.Errorf("%q is not a number", e.Value)
		}
	case LookStatus, LookOrg:
		return oneOf(e.Value, "ACTIVE", "ASYMMETRIC", "UNREACHABLE", "ERROR", none)
	case LookReady:
		return oneOf(e.Value, "yes", "no")
	}
	return nil
}

// none is the value where there is nothing.
const none = "none"
