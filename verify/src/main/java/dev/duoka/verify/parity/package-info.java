/** Compares this engine with what another implementation computed, tensor by tensor. */
package dev.duoka.verify.parity;
