// Package watermark owns what is kept outside of a site's database so that a restore
// can prove of a family of refresh tokens that nothing happened to it after the
// backup: which families rotated, and where something changed that they depend on.
//
// A mark is durable before what it tells of commits, so no crash loses one of
// something that anybody was told. A mark of something that then did not happen only
// ends a family for nothing. How marks are written and read is the store's.
package watermark
