// Package intent reads what people state about an estate: ringfence.yaml and the files of ringfence.d beside it.
//
// [Import] returns a [File]: the [model.Intent], the inputs that the file names, and the files that were read. [Schema] is the
// JSON Schema of the file, made from types that mirror its shape; a test holds the types and the reader to the same keys.
//
// Shape: docs/intent.md, and docs/pci/decisions.md, section 11. Facts keep the order of the file (the map of zones too), and each
// carries its file, line and path, such as `assertions[2].except[0]`. Files of ringfence.d come after ringfence.yaml, in the order
// of their names: lists append, mappings merge, and what may be stated once only is an error that names both places. Each file may
// state its version; ringfence.yaml must.
// Nothing here looks at an estate: whether a selector selects something, and whether a day has passed, is decided by others. Days
// are compared with each other, and with `asOf` where the file gives one.
//
// Limits: 4 MiB a file and 16 MiB together, 256 files, 32 levels of nesting, 500,000 values read in all (a value read through a
// YAML alias counts each time), 1,000 errors. Cost: linear in the values read.
//
// Errors: every error is a [model.InputError] with file and line (without the line where the file cannot be opened). Decoding is
// strict: unknown and repeated keys, wrong types and missing fields are errors, and all of them are reported together, in the order
// of file and line.
package intent
