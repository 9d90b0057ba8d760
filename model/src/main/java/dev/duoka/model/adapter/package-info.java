/**
 * Adapters of a model: {@link dev.duoka.model.adapter.AdapterDeclarations} puts them beside the
 * weights that a config names and freezes the rest, {@link dev.duoka.model.adapter.AdapterFile} is
 * their weights in PEFT's form, {@link dev.duoka.model.adapter.MergedWeight} is a weight with its
 * adapter in it, {@link dev.duoka.model.adapter.AdapterNames} refuses names that mean nothing.
 */
package dev.duoka.model.adapter;
