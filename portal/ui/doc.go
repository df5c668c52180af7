// Package ui is the kit that the pages of the portal are made with: the frame
// around each of them, its menu, forms, lists, notices, words and files. It knows
// who looks and what they may, and nothing of what the pages are about.
package ui
