package dev.duoka.planner.search;

import dev.duoka.layout.Layout;
import dev.duoka.planner.memory.MemoryEstimate;

/**
 * A layout that does not fit.
 *
 * @param layout the layout
 * @param memory what it would need
 * @param deviceGib what each card lacks, GiB; 0 where the cards suffice
 * @param hostGib what the host lacks, GiB; 0 where it suffices
 */
public record Misfit(Layout layout, MemoryEstimate memory, double deviceGib, double hostGib) {}
