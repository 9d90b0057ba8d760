/**
 * Weights as a model declares them: a parameter of the engine together with the tensors of a
 * Hugging Face checkpoint that it is made of.
 */
package dev.duoka.model.weight;
