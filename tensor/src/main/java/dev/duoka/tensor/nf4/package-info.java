/**
 * Matrices in 4 bits as QLoRA keeps a frozen base (Dettmers et al., arXiv:2305.14314). {@link
 * dev.duoka.tensor.nf4.Nf4} is the format, written out; {@link dev.duoka.tensor.nf4.Nf4Layout} says
 * how parts of tensors lie in bytes, {@link dev.duoka.tensor.nf4.Nf4Writer} fills these, and {@link
 * dev.duoka.tensor.nf4.Nf4Weights} makes numbers of them again.
 */
package dev.duoka.tensor.nf4;
