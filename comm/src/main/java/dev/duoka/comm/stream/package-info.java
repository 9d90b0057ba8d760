/** The stream on which a rank's collectives run beside its computations. */
@NullMarked
package dev.duoka.comm.stream;

import org.jspecify.annotations.NullMarked;
