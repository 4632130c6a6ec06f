// Package browsertest opens pages in a browser, for tests.
//
// A [Page] is a file that Chromium (Debian's package `chromium`) has opened from disk. It counts what a page must not do: messages on the
// console, and requests for anything but itself. Where Chromium or axe-core is missing, a test is skipped with the reason, and fails where
// CI=true; `.ci/install` installs both.
package browsertest
