/** Exchange without partners, for dry runs: books the memory, notes the calls, moves nothing. */
@NullMarked
package dev.duoka.comm.meta;

import org.jspecify.annotations.NullMarked;
