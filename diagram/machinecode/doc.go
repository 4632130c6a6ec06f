// Package machinecode keeps the machine code that the layout engine caches where nobody else can write.
//
// go-graphviz compiles its WebAssembly module when the process starts, and keeps what it compiled in `go-graphviz` under the folder for temporary
// files. On most systems everybody can write there: who makes that folder first could put code of their own into it, which any run of any command
// would execute. Importing this package leads the cache to the user's own cache folder, before the engine starts: its initialisation needs
// nothing but the standard library, and Go initialises packages that are ready in the order of their paths, this one before those that the
// engine imports. Where the user has no such folder there is no cache, and a start takes half a second more.
//
// [Restore] puts the folder for temporary files back once the engine has started.
package machinecode
