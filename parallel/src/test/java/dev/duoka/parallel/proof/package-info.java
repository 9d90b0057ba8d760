/**
 * The proof that a model trains on any mesh as it does on one rank: in fp64 on the CPU, every
 * gradient and every loss, for each feature alone and for random draws of all of them.
 */
@NullMarked
package dev.duoka.parallel.proof;

import org.jspecify.annotations.NullMarked;
