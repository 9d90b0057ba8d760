/**
 * What tells the four architectures apart: which attention a layer has, and which of its layers are
 * mixtures of experts. Each class is one paper.
 */
package dev.duoka.model.architecture;
