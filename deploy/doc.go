// Package deploy holds no code but tests: they run what lies in its folders, such
// as HAProxy, nginx and promtool with the files that operators take, against sites.
package deploy
