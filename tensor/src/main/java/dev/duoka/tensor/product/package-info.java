/**
 * Products of matrices by cuBLASLt: {@link dev.duoka.tensor.product.MeasuredProducts} computes one
 * by the algorithm that was fastest when the first of its kind was measured.
 */
@NullMarked
package dev.duoka.tensor.product;

import org.jspecify.annotations.NullMarked;
