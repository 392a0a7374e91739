"""Made-up dossiers with exact truth, so that redaction can be measured without real people."""
