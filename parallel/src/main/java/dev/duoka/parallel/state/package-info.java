/**
 * What training keeps besides the weights, and how ranks share it: gradients are summed by bucket
 * ({@link dev.duoka.parallel.state.GradientReducer}), and the sharded optimizer updates each rank's
 * slices ({@link dev.duoka.parallel.state.ShardedOptimizer}).
 */
@NullMarked
package dev.duoka.parallel.state;

import org.jspecify.annotations.NullMarked;
