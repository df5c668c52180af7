package contact

import "causeway/federation"

// verdict is what one exchange with a site says about the association.
type verdict int

const (
	// good: it answered and holds the association.
	good verdict = iota
	// denied: it says that it does not hold the association, or refuses our key.
	denied
	// missed: it could not be reached or had no answer.
	missed
	// unproven: whoever was reached could not prove to be the site.
	unproven
	// unfit: it answered, and the two cannot work together.
	unfit
)

const (
	// missesToDoubt is how many exchanges in a row fail before a site counts as
	// gone: one restart of it must not stop what crosses.
	missesToDoubt = 3
	// goodsToTrust is how many succeed before it counts as back.
	goodsToTrust = 2
)

// finding is a verdict, and the reason that people are shown. Reasons hold no
// numbers: each new text would be written and told to every cell.
type finding struct {
	verdict verdict
	reason  string
}

// judge remembers what the last exchanges with a site were like.
type judge struct{ misses, goods int }

// next is what a status becomes by a finding. It is false where the finding alone
// is no reason to change anything.
func (j *judge) next(seen federation.Status, f finding) (federation.Status, bool) {
	if f.verdict == missed || f.verdict == unproven {
		j.goods = 0
		j.misses++
		return j.doubt(seen, f), j.misses >= missesToDoubt
	}
	j.misses = 0
	if f.verdict != good {
		j.goods = 0
		if f.verdict == denied {
			return federation.Asymmetric, true
		}
		return federation.StatusError, true
	}
	j.goods++
	// What was never complete is complete with the first sign of it.
	return federation.StatusActive, seen == federation.StatusActive || seen == federation.Asymmetric || j.goods >= goodsToTrust
}

// doubt is what a site becomes that has missed too often. Of one that never
// confirmed the association nobody knows whether it holds it.
func (j *judge) doubt(seen federation.Status, f finding) federation.Status {
	switch {
	case seen == federation.Asymmetric:
		return federation.Asymmetric
	case f.verdict == unproven:
		return federation.StatusError
	}
	return federation.Unreachable
}

// wavering reports whether the next exchange decides something soon.
func (j *judge) wavering(seen federation.Status) bool {
	return j.misses > 0 && j.misses < missesToDoubt || j.goods > 0 && j.goods < goodsToTrust && seen != federation.StatusActive
}
