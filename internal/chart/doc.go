// Package chart renders the Helm chart as Helm does and holds the result against
// the types of Kubernetes. It is a module of its own, so that what they depend on
// never becomes ours.
package chart
