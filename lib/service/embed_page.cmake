# Writes the page as one string constant. cmake -D OUTPUT=... -D PAGE=... -P embed_page.cmake
file(READ ${PAGE} page)
file(WRITE ${OUTPUT} "// Generated from page.html.
#include \"service/page.hpp\"

std::string_view lockkeeper::service::page() {
  return R\"html(${page})html\";
}
")
