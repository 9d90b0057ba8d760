/**
 * Compares this engine with what another implementation computed, tensor by tensor. Read {@link
 * dev.duoka.verify.parity.ParityCheck} first, which says what the other's folder holds and when a
 * comparison holds; {@link dev.duoka.verify.parity.ParityReport} is the outcome. What is compared
 * was computed by a {@link dev.duoka.verify.parity.ParityEngine}: one rank, or the ranks of a mesh.
 */
package dev.duoka.verify.parity;
