/**
 * Trained models for other tools: {@link dev.duoka.train.export.HuggingFaceExport} writes a folder
 * that transformers, vLLM and others load.
 */
package dev.duoka.train.export;
