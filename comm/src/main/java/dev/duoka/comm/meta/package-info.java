/**
 * Exchange without partners, for dry runs: {@link dev.duoka.comm.meta.MetaCommunicator} books the
 * memory that a collective takes, notes the call, and moves nothing.
 */
@NullMarked
package dev.duoka.comm.meta;

import org.jspecify.annotations.NullMarked;
