/** Proof that the seams of engine and model bear weight: models cut in two, passes split in two. */
@org.jspecify.annotations.NullMarked
package dev.duoka.parallel.seam;
