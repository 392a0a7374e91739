// The reader of a dossier's pages.
"use strict";
