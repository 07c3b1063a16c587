# The target `layers`, part of ALL: after every library and program outside tests/ has been compiled, their dependency
# files are held against cmake/layers.json, and the build fails when a layer includes what it may not.
find_program(GRIDWARD_PYTHON3 python3)

function(gridward_collect_targets dir out)
  get_property(targets DIRECTORY ${dir} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(children DIRECTORY ${dir} PROPERTY SUBDIRECTORIES)
  set(found)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type MATCHES "^(STATIC_LIBRARY|SHARED_LIBRARY|MODULE_LIBRARY|EXECUTABLE)$")
      list(APPEND found ${target})
    endif()
  endforeach()
  foreach(child IN LISTS children)
    if(NOT child STREQUAL "${CMAKE_SOURCE_DIR}/tests")
      gridward_collect_targets(${child} below)
      list(APPEND found ${below})
    endif()
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

if(NOT CMAKE_GENERATOR MATCHES "Ninja" OR NOT GRIDWARD_PYTHON3)
  message(WARNING "the layer check needs Ninja and python3: layers are not checked in this build")
  return()
endif()

gridward_collect_targets(${CMAKE_SOURCE_DIR} layer_targets)
set(layer_stamp ${CMAKE_BINARY_DIR}/layers.stamp)
add_custom_command(OUTPUT ${layer_stamp}
  COMMAND ${GRIDWARD_PYTHON3} ${CMAKE_SOURCE_DIR}/scripts/check-layers --ninja ${CMAKE_MAKE_PROGRAM} --stamp ${layer_stamp} ${CMAKE_BINARY_DIR}
  DEPENDS ${layer_targets} ${CMAKE_SOURCE_DIR}/scripts/check-layers ${CMAKE_SOURCE_DIR}/cmake/layers.json
  COMMENT "Checking which layer includes what" VERBATIM)
add_custom_target(layers ALL DEPENDS ${layer_stamp})
