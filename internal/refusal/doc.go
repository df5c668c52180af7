// Package refusal owns the memory of refused requests: which are kept, what is
// kept of them, how they are written without holding up answers, and how one is
// explained to a person. What was refused and why is for others to decide; this
// package never refuses anything.
package refusal
