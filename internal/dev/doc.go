// Package dev runs two associated sites in one process, with sample
// organizations and a sample service behind each: the first five minutes, and
// the ground that tests and tools stand on. It owns its folder and nothing else.
package dev
