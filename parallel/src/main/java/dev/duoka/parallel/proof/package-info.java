/**
 * What shows that a mesh computes what one rank does: {@link dev.duoka.parallel.proof.Training} is
 * the same work for any mesh, {@link dev.duoka.parallel.proof.WholeTensors} puts together what its
 * ranks hold, and {@link dev.duoka.parallel.proof.Equality} tells two outcomes apart.
 */
@NullMarked
package dev.duoka.parallel.proof;

import org.jspecify.annotations.NullMarked;
