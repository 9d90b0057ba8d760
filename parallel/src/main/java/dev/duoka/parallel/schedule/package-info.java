/**
 * A training step as data: what each rank does with which micro-batch, in which order. {@link
 * dev.duoka.parallel.schedule.Schedule} is that list, in the notation of
 * torch.distributed.pipelining; an {@link dev.duoka.parallel.schedule.Action} is one entry.
 */
@NullMarked
package dev.duoka.parallel.schedule;

import org.jspecify.annotations.NullMarked;
