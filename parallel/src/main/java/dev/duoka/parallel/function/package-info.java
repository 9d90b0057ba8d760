/**
 * The sharded counterparts of the engine's functions, and where they take their place: {@link
 * dev.duoka.parallel.function.TensorParallel}.
 */
@NullMarked
package dev.duoka.parallel.function;

import org.jspecify.annotations.NullMarked;
