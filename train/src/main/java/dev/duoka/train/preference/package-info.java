/**
 * What the reference model makes of the answers of a run on pairs: computed once, and kept. Start
 * with {@link References}.
 */
@NullMarked
package dev.duoka.train.preference;

import org.jspecify.annotations.NullMarked;
