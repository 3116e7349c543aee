"""One run from its options to its winner: data, plan, announcement, training, resume, the copy
in a storage, the winner's scores; and the debug mode, which trains without Ray. Imports every
package of search but replay."""
